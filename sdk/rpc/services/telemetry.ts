export { TelemetryServiceService } from '../../../proto/gen/hashfed/v1/telemetry_service.js';
