export {
  closeConnection,
  type ConnectionOptions,
  readingConnection,
  serverOptions,
  whenReady,
  writingConnection,
} from './connection.ts'
export { connectGroupStore, type RedisGroupStore, type RedisGroupStoreOptions } from './group-store.ts'
export { connectMemberList, type RedisMemberList, type RedisMemberListOptions } from './member-list.ts'
export {
  connectPipelineStore,
  type RedisPipelineStore,
  type RedisPipelineStoreOptions,
} from './pipeline-store.ts'
export { connectServerLook, type ServerFacts, type ServerLook } from './server-look.ts'
export { connectStories, type RedisStories, type RedisStoriesOptions } from './story-store.ts'
export { connectLog, type RedisLog, type RedisLogOptions } from './redis-log.ts'
