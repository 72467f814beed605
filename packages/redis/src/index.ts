export {
  closeConnection,
  type ConnectionOptions,
  readingConnection,
  whenReady,
  writingConnection,
} from './connection.ts'
export { connectLog, type RedisLog, type RedisLogOptions } from './redis-log.ts'
