export { consolePath, type ConsoleOptions, createConsole } from './console.ts'
export { createRepairsApi, repairPaths } from './repairs-api.ts'
export type { RepairsApiOptions } from './repairs-options.ts'
export { tokenAccess, type TokenAccess } from './token-access.ts'
