/* Starts the API reference on the description that this server gives of itself. */
const description = new URL('../openapi.json', document.currentScript.src);

window.SwaggerUIBundle({
  url: description.href,
  dom_id: '#reference',
  deepLinking: true,
  // The validator's badge would tell a stranger's server that this one exists.
  validatorUrl: null,
});
