export { FaultySmtpServer, type FaultySmtpServerOptions } from './faulty-smtp-server.ts'
export type { MailFaults } from './mail-faults.ts'
export type { MailRecord, ReceivedMail } from './mail-record.ts'
export { FaultyMailApi } from './faulty-mail-api.ts'
