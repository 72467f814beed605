import type { RedisBinary } from './redis-binary.ts'
import { ServerUnavailable } from './server-unavailable.ts'

export function unpackRedis(_cacheDirectory: string, _say: (sentence: string) => void): Promise<RedisBinary> {
  return Promise.reject(new ServerUnavailable('no redis'))
}
