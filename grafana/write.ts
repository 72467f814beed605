import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { generatedFiles } from './src/generated-files.ts'

// Writes what is generated: node grafana/write.ts
for (const [file, text] of generatedFiles()) {
  const target = path.join(import.meta.dirname, '..', file)
  mkdirSync(path.dirname(target), { recursive: true })
  writeFileSync(target, text)
}
