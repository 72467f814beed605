export { createUniqApp, type UniqAppOptions } from './uniq-app.ts'
export {
  type Appended,
  type AppendOptions,
  createUniqService,
  type UniqAction,
  type UniqOfTopic,
  type UniqService,
  type UniqServiceOptions,
} from './uniq-service.ts'
