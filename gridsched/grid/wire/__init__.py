"""The embedded grid as a server of Hazelcast's Open Binary Client Protocol 2.x.

    server      WireServer: a listener a member, and the endpoints of its clients
    services    what all clients share: structures by name, schemas, the cluster's `views`
    endpoint    one client's connection: authentication, dispatch, answers, events, limits
    answers     which function answers which request
    operations  what each request does; one module a service
    messages    the table of requests, responses and events, with `codec` and `types` to speak them
    frames      bytes to messages and back
    query       predicates, aggregators and projections on values of every serialized form
    errors      exceptions to Hazelcast's error holders; `unsupported` is what nobody answers

The protocol's source is hazelcast/hazelcast-client-protocol, and where that is silent, what a
5.7.0 member does.
"""
