export { consolePath, type ConsoleOptions, createConsole } from './console.ts'
