// Shows new messages of a phone, but never takes away a reply that somebody is typing.
const reply = document.querySelector("textarea");
setInterval(() => {
  if (reply.value === "" && document.activeElement !== reply) location.reload();
}, 3000);
