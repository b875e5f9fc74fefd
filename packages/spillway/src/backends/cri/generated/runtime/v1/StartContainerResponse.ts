// Original file: src/backends/cri/api.proto


export interface StartContainerResponse {
}

export interface StartContainerResponse__Output {
}
