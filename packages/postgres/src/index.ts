export { migrate, type Migration } from './migrate.ts'
export { readMigrations } from './migration-files.ts'
export { openPool, type PoolOptions } from './pool.ts'
