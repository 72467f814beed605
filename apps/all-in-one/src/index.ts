export type {
  Fetch,
  Need,
  PortUse,
  RunningService,
  ServiceContext,
  ServiceFactory,
} from './service-factory.ts'
