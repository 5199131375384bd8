export { QueryServiceService } from '../../../proto/gen/hashfed/v1/query_service.js';
