import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'
import { filesWhere, root, type SourceFile } from './tree.ts'

/** The anchor that a Markdown heading gets. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map((match) => anchorOf(match[1] ?? ''))
}

/** The rule: a relative link leads to a file, and its anchor to a heading. */
function linkFaults(docs: readonly SourceFile[], exists: (path: string) => boolean): string[] {
  return docs.flatMap((doc) => {
    const prose = doc.text.replace(/^```[\s\S]*?^```$/gm, '')
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return []
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? doc.path : posix.join(posix.dirname(doc.path), path)
      if (!exists(target)) return [`${doc.path}: ${link} leads nowhere`]
      const text = docs.find((other) => other.path === target)?.text
      if (anchor === undefined || text === undefined || anchorsIn(text).includes(anchor)) return []
      return [`${doc.path}: ${link} has no such heading`]
    })
  })
}

test('links between documents lead somewhere', () => {
  expect(linkFaults(filesWhere(/\.md$/), (path) => existsSync(join(root, path)))).toEqual([])
})

test('planted: a dead link and a dead anchor are found', () => {
  const docs = [
    {
      path: 'README.md',
      text: '[a](docs/a.md#the-log) [b](docs/b.md) [c](docs/a.md#none) [d](https://example.com/x)',
    },
    { path: 'docs/a.md', text: '# The log\n[back](../README.md)' },
  ]
  const exists = (path: string) => docs.some((doc) => doc.path === path)
  expect(linkFaults(docs, exists)).toEqual([
    'README.md: docs/b.md leads nowhere',
    'README.md: docs/a.md#none has no such heading',
  ])
})
