export { ListServiceService } from '../../../proto/gen/hashfed/v1/list_service.js';
