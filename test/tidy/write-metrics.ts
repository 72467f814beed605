import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { metricTable } from './metric-table.ts'
import { root } from './tree.ts'

// Run by `npm run fix`: the table of docs/metrics.md, from the declared metrics.
const path = join(root, 'docs/metrics.md')
const prose = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => !line.startsWith('|'))
  .join('\n')
  .trimEnd()
writeFileSync(path, `${prose}\n\n${metricTable().join('\n')}\n`)
