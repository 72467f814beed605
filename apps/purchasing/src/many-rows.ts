import { type httpApp, type HttpAppOptions, operation, streamAnswer } from '@millrace/hono'
import type { CentralDatabase } from './central-database.ts'
import { catalogueLines, type CentralSnapshot, snapshotLines } from './snapshot.ts'

/** What answers of many rows are made of. */
export interface ManyRows {
  readonly database: CentralDatabase
  readonly openPicture: () => Promise<CentralSnapshot>
  readonly logger: HttpAppOptions['logger']
}

/** Where they are: they take as long as their readers do. */
export const manyRowsPaths: readonly string[] = ['/snapshot', '/catalogue']

const linesType = 'application/x-ndjson'

/** Adds the answers of very many rows, a line each: all products, and everything at one moment. */
export function addManyRows(
  app: ReturnType<typeof httpApp>,
  { database, openPicture, logger }: ManyRows,
): void {
  const rows = {
    contentType: linesType,
    onError: (err: unknown) => logger.warn('An answer of many rows broke off', { err }),
  }
  app.get(
    '/catalogue',
    operation({
      summary: 'All products, a line each, as they are published once a day',
      answers: { 200: { description: 'A product a line', type: linesType } },
      secured: true,
    }),
    (c) => streamAnswer(c, (signal) => catalogueLines(database, signal), rows),
  )
  app.get(
    '/snapshot',
    operation({
      summary:
        'Everything at one moment, a row a line, with its place in the change stream in the first line',
      description:
        'The first line is {"watermark": LSN}: of what was committed before it everything is there, and nothing ' +
        'of what was committed at it or later. The last line is {"end": number of rows}; without it, it broke off.',
      answers: { 200: { description: 'A row a line', type: linesType } },
      problems: ['service.busy', 'service.unavailable'],
      secured: true,
    }),
    async (c) => {
      const snapshot = await openPicture()
      return streamAnswer(c, (signal) => snapshotLines(snapshot, signal), rows)
    },
  )
}
