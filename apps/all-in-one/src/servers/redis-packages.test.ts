import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KeptServer } from './kept-server.ts'
import { unpackRedis } from './redis-packages.ts'
import { redisSpec } from './redis-spec.ts'

// A package archive of one's own, on this machine: the tests ask nobody on the network.
let directory: string
const said: string[] = []
const before = process.env['APT_CONFIG']
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'millrace-apt-'))
  said.length = 0
  for (const name of ['lists/partial', 'archive', 'package/usr/bin', 'package/DEBIAN'])
    mkdirSync(path.join(directory, name), { recursive: true })
  writeFileSync(path.join(directory, 'status'), '')
  writeFileSync(path.join(directory, 'sources.list'), `deb [trusted=yes] file:${directory}/archive ./\n`)
  writeFileSync(
    path.join(directory, 'apt.conf'),
    [
      `Dir::State::status "${directory}/status";`,
      `Dir::State::Lists "${directory}/lists";`,
      `Dir::Etc::sourcelist "${directory}/sources.list";`,
      'Dir::Etc::sourceparts "/dev/null";',
    ].join('\n'),
  )
  process.env['APT_CONFIG'] = path.join(directory, 'apt.conf')
})
afterEach(() => {
  if (before === undefined) delete process.env['APT_CONFIG']
  else process.env['APT_CONFIG'] = before
  rmSync(directory, { recursive: true, force: true })
})

/** Puts a package into the archive whose server is this file. */
function publish(name: string, server: string): void {
  const tree = path.join(directory, 'package')
  const about = `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <n@example.org>\nDescription: A test\n`
  cpSync(server, path.join(tree, 'usr/bin', name))
  writeFileSync(path.join(tree, 'DEBIAN/control'), about)
  const file = `${name}_1.0_all.deb`
  const built = spawnSync('dpkg-deb', ['-b', tree, path.join(directory, 'archive', file)], {
    encoding: 'utf8',
  })
  expect(built.stderr).toBe('')
  const [size, hash] = ['wc -c <', 'sha256sum'].map(
    (command) =>
      spawnSync('sh', ['-c', `${command} "$1"`, 'sh', path.join(directory, 'archive', file)], {
        encoding: 'utf8',
      })
        .stdout.trim()
        .split(' ')[0],
  )
  writeFileSync(
    path.join(directory, 'archive/Packages'),
    `${about}Filename: ./${file}\nSize: ${size}\nSHA256: ${hash}\n\n`,
  )
}

const unpack = () => unpackRedis(path.join(directory, 'cache'), (sentence) => said.push(sentence))
const realServer = () => realpathSync(whereIs('redis-server'))

function whereIs(program: string): string {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' }).stdout.trim()
}

// Elsewhere than on Debian and its kin there is nothing to test; CI must not think so by mistake.
describe.runIf(whereIs('dpkg-deb') !== '' || process.env['CI'] !== undefined)('fetching Redis', () => {
  test('the system’s package is fetched and unpacked, also where its lists are empty, and kept', async () => {
    publish('redis-server', realServer())
    const binary = await unpack()
    expect(said).toEqual([
      'There is no Redis on this machine; its packages are fetched and unpacked for Millrace alone.',
    ])
    const home = path.join(directory, 'home')
    const port = 0
    const spec = redisSpec({ binary, directory: home, port, unixSocket: true, appendonly: true })
    const server = new KeptServer({ ...spec, restart: false, removeAtEnd: [] })
    await server.start()
    await server.stop()

    rmSync(path.join(directory, 'archive'), { recursive: true })
    expect(await unpack()).toEqual(binary)
    expect(said).toHaveLength(1)
  })

  test('valkey will do where there is no redis', async () => {
    publish('valkey-server', realServer())
    expect((await unpack()).command).toMatch(/valkey-server$/)
  })

  test('without a package the error names the choices', async () => {
    writeFileSync(path.join(directory, 'archive/Packages'), '')
    await expect(unpack()).rejects.toThrow(
      /^There is no Redis, and it could not be fetched \(E: Unable to locate package redis-server\)\. Install one \(apt install redis-server, .*REDIS_URL/,
    )
  })

  test('a package whose server does not run is an error, not a start that hangs', async () => {
    writeFileSync(path.join(directory, 'broken'), '#!/bin/false\n', { mode: 0o755 })
    publish('redis-server', path.join(directory, 'broken'))
    await expect(unpack()).rejects.toThrow('the unpacked server does not run')
  })
})
