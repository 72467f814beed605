import pg from 'pg'

/** Makes JSON out of the text that PostgreSQL writes for a value. */
export type ValueReader = (text: string) => unknown

const asText: ValueReader = (text) => text
const finite: ValueReader = (text) => {
  const number = Number(text)
  // JSON has no word for NaN and Infinity.
  return Number.isFinite(number) ? number : text
}

/**
 * By the type's number (pg_type.oid). What a JavaScript number cannot hold exactly (bigint, numeric) stays text, as with the
 * driver; times are ISO 8601 with all their digits; bytes are base64; any other type is its text.
 */
const readers: ReadonlyMap<number, ValueReader> = new Map<number, ValueReader>([
  [16, (text) => text === 't'], // bool
  [21, Number], // int2
  [23, Number], // int4
  [26, Number], // oid
  [700, finite], // float4
  [701, finite], // float8
  [114, (text) => JSON.parse(text) as unknown], // json
  [3802, (text) => JSON.parse(text) as unknown], // jsonb
  [17, (text) => Buffer.from(text.slice(2), 'hex').toString('base64')], // bytea, after its \x
  [1114, (text) => text.replace(' ', 'T')], // timestamp
  [1184, (text) => text.replace(' ', 'T').replace(/\+00(:00)?$/, 'Z')], // timestamptz, in UTC
])

/** Types of arrays with the type of their elements. */
const elements: ReadonlyMap<number, number> = new Map([
  [1000, 16],
  [1005, 21],
  [1007, 23],
  [1028, 26],
  [1021, 700],
  [1022, 701],
  [199, 114],
  [3807, 3802],
  [1001, 17],
  [1115, 1114],
  [1185, 1184],
  [1009, 25], // text
  [1015, 25], // varchar
  [1016, 25], // int8
  [1231, 25], // numeric
  [2951, 25], // uuid
  [1182, 25], // date
])

const textArray: number = 1009

/** How to read the values of a type. */
export function readerOf(oid: number): ValueReader {
  const plain = readers.get(oid)
  if (plain) return plain
  const element = elements.get(oid)
  if (element === undefined) return asText
  const read = readers.get(element) ?? asText
  const split = pg.types.getTypeParser(textArray, 'text') as (text: string) => unknown
  return (text) => eachOf(split(text), read)
}

function eachOf(value: unknown, read: ValueReader): unknown {
  if (Array.isArray(value)) return value.map((one) => eachOf(one, read))
  return typeof value === 'string' ? read(value) : value
}

/** Settings of every connection whose values are read by these: they decide how values are written. */
export const valueSettings = '-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c bytea_output=hex'
