// Prints "N passed, N failed" from vitest's JSON report; fails when a test failed or none ran.
import { readFileSync } from 'node:fs'

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    console.log(`The test run left no report: ${error.message}`)
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] }
  }
}

const report = read(process.argv[2])
// A file that cannot even be loaded has no tests; it counts as one failure.
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
)
for (const file of broken) console.log(`failed as a whole: ${file.name}`)
if (report.numPendingTests > 0) console.log(`${report.numPendingTests} skipped`)
const failed = report.numFailedTests + broken.length
process.exitCode = failed > 0 || report.numPassedTests === 0 ? 1 : 0
console.log(`${report.numPassedTests} passed, ${failed} failed`)
