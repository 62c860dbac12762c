export * from './browser.ts'
export { fileSource } from './weights/file-source.ts'
export { npyWeights, safetensorsWeights, tfjsWeights, weights } from './weights/files.ts'
