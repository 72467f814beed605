/** The whole stream, at most `maxBytes` of it (the rest is read and dropped). */
export async function readToEnd(
  stream: AsyncIterable<Uint8Array>,
  maxBytes = 10_000_000,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    if (size < maxBytes) chunks.push(chunk)
    size += chunk.byteLength
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}
