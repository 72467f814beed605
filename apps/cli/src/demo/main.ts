import { processSurroundings } from '../process-surroundings.ts'
import { runDemo } from './program.ts'

process.exitCode = await runDemo(process.argv.slice(2), processSurroundings())
