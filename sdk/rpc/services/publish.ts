export { PublishServiceService } from '../../../proto/gen/hashfed/v1/publish_service.js';
