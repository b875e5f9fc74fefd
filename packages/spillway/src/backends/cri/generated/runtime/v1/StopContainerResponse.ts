// Original file: src/backends/cri/api.proto


export interface StopContainerResponse {
}

export interface StopContainerResponse__Output {
}
