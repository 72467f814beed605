import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Home } from '../home.ts'
import { postgresPlace } from './postgres-place.ts'

// A home whose data is elsewhere, as root has it in a closed checkout.
let directory: string
let outside: string
const said: string[] = []
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'millrace-place-'))
  outside = path.join(directory, 'outside')
  said.length = 0
  for (const name of ['home', 'outside/data']) mkdirSync(path.join(directory, name), { recursive: true })
  writeFileSync(path.join(directory, 'home/postgres-place.json'), JSON.stringify({ directory: outside }))
  writeFileSync(path.join(outside, 'home.txt'), `${path.join(directory, 'home')}\n`)
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function placeOf(name: string): string {
  const home = new Home(path.join(directory, name))
  try {
    return postgresPlace(home, (sentence) => said.push(sentence)).directory
  } finally {
    home.release()
  }
}

test('data outside of the home is found again', () => {
  expect(placeOf('home')).toBe(outside)
  expect(said).toEqual([])
})

test('a home that was moved keeps its data', () => {
  renameSync(path.join(directory, 'home'), path.join(directory, 'moved'))
  expect(placeOf('moved')).toBe(outside)
  expect(readFileSync(path.join(outside, 'home.txt'), 'utf8')).toBe(`${path.join(directory, 'moved')}\n`)
})

test('a copy of a home does not get the data of the first', () => {
  cpSync(path.join(directory, 'home'), path.join(directory, 'copy'), { recursive: true })
  expect(() => placeOf('copy')).toThrow(/copy is a copy of .*home, whose PostgreSQL data is in .*outside/)
  expect(placeOf('home')).toBe(outside)
})

test('data that is gone starts empty, and that is said', () => {
  rmSync(outside, { recursive: true })
  expect(placeOf('home')).toBe(outside)
  expect(said.join()).toContain('it starts empty, and the views are built again')
})
