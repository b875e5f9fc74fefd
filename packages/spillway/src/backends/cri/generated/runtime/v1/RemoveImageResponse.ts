// Original file: src/backends/cri/api.proto


export interface RemoveImageResponse {
}

export interface RemoveImageResponse__Output {
}
