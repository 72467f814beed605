import { spawn } from 'node:child_process'
import { once } from 'node:events'

// Takes everything and keeps nothing: what it costs is not what is measured, so it is a process of its own. It ends with
// its standard input.
const program = `
  const server = require('node:http').createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  })
  server.listen(0, '127.0.0.1', () => process.stdout.write(String(server.address().port)))
  process.stdin.resume().on('end', () => process.exit())
`

/** Starts a collector of traces. */
export async function startTraceCollector(): Promise<{ readonly url: string; stop(): void }> {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return { url: `http://127.0.0.1:${String(port)}`, stop: () => child.stdin.end() }
}
