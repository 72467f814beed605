export function watchParent(parent: number, gone: () => void): () => void
