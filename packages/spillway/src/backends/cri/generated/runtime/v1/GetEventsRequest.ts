// Original file: src/backends/cri/api.proto


export interface GetEventsRequest {
}

export interface GetEventsRequest__Output {
}
