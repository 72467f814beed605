import { expect, test } from 'vitest'
import { filesWhere, productCode, read, type SourceFile } from './tree.ts'

/** Words that others use for what has another word here (see the glossary in ARCHITECTURE.md). */
const otherWords: readonly (readonly [pattern: RegExp, ours: string])[] = [
  [/\b(aggregateId|partitionKey|streamKey|entityId)\b/i, 'key'],
  [/\b(readModel|projection)s?\b/i, 'view'],
  [/\b(dlq|deadLetterQueue)\b/i, 'dead letter'],
  [/\bquarantined?\b/i, 'park'],
  [/\b(reservation|uniqueLock)s?\b/i, 'claim'],
  [/\b(consumerGroup|subscriberGroup)s?\b/i, 'group'],
]

/** The rule: one thing has one word in the code; what others call it may stand in comments and documents. */
function wordFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const code = file.text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '')
    return otherWords.flatMap(([pattern, ours]) => {
      const found = pattern.exec(code)
      return found === null ? [] : [`${file.path}: "${found[0]}" is called "${ours}" here`]
    })
  })
}

/** The rule: the glossary explains each word once. */
function repeatedWords(glossary: string): string[] {
  const words = [...glossary.matchAll(/^\| \*\*([^*]+)\*\* \|/gm)].flatMap((match) =>
    (match[1] ?? '').split(', '),
  )
  return words.filter((word, index) => words.indexOf(word) !== index)
}

test('the code uses the words of the glossary', () => {
  expect(wordFaults(filesWhere(productCode))).toEqual([])
})

test('the glossary explains each word once', () => {
  expect(repeatedWords(read('ARCHITECTURE.md'))).toEqual([])
})

test('planted: a word of others in code and a word explained twice are found', () => {
  const plant = (text: string) => wordFaults([{ path: 'a.ts', text }])
  expect(plant('const readModel = 1')).toHaveLength(1)
  expect(plant('interface Options { partitionKey: string }')).toHaveLength(1)
  expect(plant('// what others call a read model, or projection')).toEqual([])
  expect(repeatedWords('| **key** | a |\n| **state, key** | b |')).toEqual(['key'])
})
