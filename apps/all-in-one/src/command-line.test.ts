import { expect, test } from 'vitest'
import { helpText, optionsTakenByNpm, readCommandLine } from './command-line.ts'
import type { ServiceFactory } from './service-factory.ts'

const registry = ['gateway', 'uniq', 'mail'].map((name): ServiceFactory => ({
  name,
  summary: `does ${name}`,
  needs: [],
  ports: [],
  start: () => Promise.reject(new Error('not here')),
}))
const read = (...args: string[]) => readCommandLine(args, registry)
const names = (...args: string[]) => read(...args).asked.services.map(({ name }) => name)

test('without options everything runs in one process', () => {
  expect(read().asked).toEqual({ help: false, separate: false, services: registry })
  expect(read().mistakes).toEqual([])
})

test('--only takes names with commas in any order and runs them in the order of the table', () => {
  expect(names('--only', 'mail,gateway')).toEqual(['gateway', 'mail'])
  expect(names('--only=mail, uniq')).toEqual(['uniq', 'mail'])
})

test('every mistake is told', () => {
  expect(read('--only', 'mial,gatewy', '--serparate', 'now').mistakes).toEqual([
    '--serparate: is not known; see --help',
    'now: is not understood; see --help',
    '--only: there is no service "mial" (there are gateway, uniq, mail)',
    '--only: there is no service "gatewy" (there are gateway, uniq, mail)',
  ])
  expect(read('--only', ',').mistakes).toEqual(['--only: names no service (there are gateway, uniq, mail)'])
  expect(read('--only').mistakes).toEqual(['--only: names no service (there are gateway, uniq, mail)'])
})

test('the help names every service', () => {
  for (const { name, summary } of registry)
    expect(helpText(registry)).toMatch(new RegExp(`${name} +${summary}`))
})

test('an option that npm has taken because of a forgotten -- is told', () => {
  expect(optionsTakenByNpm({ npm_config_separate: 'true' })).toEqual([
    '--separate: npm has taken it; write npm start -- --separate',
  ])
  expect(optionsTakenByNpm({})).toEqual([])
})
