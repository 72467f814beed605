import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Makes a certificate of this machine that nobody has signed, and its key, as files of a directory. */
export async function selfSigned(directory: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [path.join(directory, 'server.crt'), path.join(directory, 'server.key')]
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  await run('openssl', [...request, ...names, '-keyout', key, '-out', certificate])
  return { certificate, key }
}
