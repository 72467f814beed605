export { type Cdc, type CdcNews, type CdcOptions, createCdc } from './cdc.ts'
export { type PipelineDefinition, readPipelines } from './pipeline-file.ts'
