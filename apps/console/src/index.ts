export { consolePath, type ConsoleOptions, createConsole } from './console.ts'
export { createRepairsApi } from './repairs-api.ts'
export type { RepairsApiOptions } from './repairs-options.ts'
