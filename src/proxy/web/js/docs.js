// /docs: Swagger UI over openapi.json, from this server alone.
'use strict';
window.ui = SwaggerUIBundle({url: 'openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null, tryItOutEnabled: true, persistAuthorization: false});
