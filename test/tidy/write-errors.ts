import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { catalogue } from '@millrace/event'
import { errorRow, errorTableHead } from './error-table.ts'
import { root } from './tree.ts'

// Run by `npm run fix`: the table of docs/errors.md, from the catalogue.
const path = join(root, 'docs/errors.md')
const prose = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => !line.startsWith('|'))
  .join('\n')
  .trimEnd()
const rows = Object.entries(catalogue).map(([code, entry]) => errorRow(code, entry))
writeFileSync(path, `${prose}\n\n${[...errorTableHead, ...rows].join('\n')}\n`)
