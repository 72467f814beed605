import type { RedisBinary } from './redis-binary.ts'
import { StartRefused } from '../start-refused.ts'

export function unpackRedis(_cacheDirectory: string, _say: (sentence: string) => void): Promise<RedisBinary> {
  return Promise.reject(new StartRefused('no redis'))
}
