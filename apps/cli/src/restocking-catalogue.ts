import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { derivedId, MillraceError, parseJson } from '@millrace/event'
import { productKey } from '@millrace-app/restocking'
import { exitCodes } from './exit-codes.ts'
import { refusalIn } from './refused-answer.ts'
import { postTo, type RestockingPlace } from './restocking-place.ts'
import { progressOn, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

const linesAtOnce = 1_000

interface Report {
  readonly appended: number
  readonly duplicate: number
  readonly refused: number
  readonly unknown: number
  readonly results: readonly { line: number; status: string; code?: string; detail?: string }[]
}

/**
 * `millrace restocking catalogue`: uploads product information, a product a line as `GET /catalogue` tells them. The ids
 * of the events follow from the file: an upload that broke off is repeated, and what is there already is left alone.
 */
export async function uploadCatalogue(
  place: RestockingPlace,
  file: string,
  options: OutputOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  if (!existsSync(file)) throw new MillraceError('request.invalid', `There is no file ${file}`)
  const { mtimeMs, size } = await stat(file)
  const upload = await digestOf(file, mtimeMs)
  const sums = { sent: 0, appended: 0, duplicate: 0, refused: 0 }
  const progress = progressOn(terminal, 'bytes uploaded')
  let [bytes, first] = [0, 1]
  let waiting: string[] = []
  const flush = async (): Promise<void> => {
    const texts = waiting.map((text, at) => eventOf(text, upload, first + at))
    const report = await send(place, texts, signal)
    for (const { line, code, detail } of report.results.filter(({ status }) => status === 'refused'))
      terminal.err.write(`line ${first + line - 1}: ${code}: ${detail}\n`)
    sums.sent += waiting.length
    for (const word of ['appended', 'duplicate', 'refused'] as const) sums[word] += report[word]
    first += waiting.length
    waiting = []
    progress.update(Math.min(bytes, size), size)
  }
  try {
    for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      bytes += Buffer.byteLength(text) + 1
      waiting.push(text)
      if (waiting.length >= linesAtOnce) await flush()
    }
    if (waiting.length > 0) await flush()
  } catch (error) {
    if (!(error instanceof MillraceError || signal.aborted)) throw error
    terminal.err.write(`It broke off after line ${first - 1}; the same command goes on.\n`)
    throw error
  } finally {
    progress.end()
  }
  const { sent, appended, duplicate, refused } = sums
  if (options.json) terminal.out.write(`${JSON.stringify(sums)}\n`)
  else
    terminal.out.write(`${sent} products: ${appended} new, ${duplicate} there already, ${refused} refused\n`)
  return refused === 0 ? exitCodes.ok : exitCodes.findings
}

async function digestOf(file: string, mtimeMs: number): Promise<string> {
  const hash = createHash('sha256').update(`${mtimeMs}\n`)
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer)
  return hash.digest('hex')
}

/** The line as an event; what is no product goes as it is, and is refused with its line. */
function eventOf(text: string, upload: string, line: number): string {
  let product: unknown
  try {
    product = parseJson(text)
  } catch {
    // The intake says what is wrong with it. An empty line would not be counted there.
    return text.trim() === '' ? '{}' : text
  }
  if (typeof product !== 'object' || product === null || !('id' in product)) return text
  const { id, ...data } = product
  return JSON.stringify({
    specversion: '1.0',
    id: derivedId('catalogue', upload, String(line)),
    source: '/millrace/catalogue',
    type: 'ProductInformation',
    subject: productKey(String(id)),
    data,
  })
}

async function send(place: RestockingPlace, texts: readonly string[], signal: AbortSignal): Promise<Report> {
  const answer = await postTo(place, '/topics/supply/events', signal, texts.join('\n'))
  if (answer.status === 401) throw await refusalIn(answer, 'Restocking', 'SERVICE_TOKEN')
  const body = await reportIn(answer, signal)
  const { appended = 0, duplicate = 0, refused = 0, unknown = 0, results = [] } = body
  const isWhole = results.length >= texts.length && unknown === 0
  if (answer.status >= 500 || !isWhole)
    throw new MillraceError(
      'service.unavailable',
      `Restocking answers ${answer.status}${body.detail === undefined ? '' : `: ${body.detail}`}`,
    )
  return { appended, duplicate, refused, unknown, results }
}

/** What is no report, a proxy's page or an answer that was cut, says of no line what has become of it. */
async function reportIn(
  answer: Response,
  signal: AbortSignal,
): Promise<Partial<Report> & { readonly detail?: string }> {
  try {
    return (await answer.json()) as Partial<Report>
  } catch {
    signal.throwIfAborted()
    return {}
  }
}
