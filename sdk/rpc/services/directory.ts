export { DirectoryServiceService } from '../../../proto/gen/hashfed/v1/directory_service.js';
