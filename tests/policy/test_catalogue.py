"""From an operation's name to its request, as WSO2's data services server has it."""

from __future__ import annotations

import pytest

from gridsched.errors import InvalidJob
from gridsched.model.data_service import DataService, Operation
from gridsched.model.http import HttpTask, ServiceOperation
from gridsched.policy.catalogue import request

SHOP = "http://shop.example:9763/services/ProductService.HTTPEndpoint"
QUANTITY = Operation("getProductQuantity")
SERVICES = {
    service.name: service
    for service in (
        DataService(
            "ProductService",
            ("local://ProductService", SHOP + "/"),
            operations=(
                QUANTITY,
                Operation("getProduct", ("productCode", "line")),
                Operation("GET /all products", (), "POST", "/all products"),
            ),
        ),
        DataService("Local", (SHOP,), ("local",), (QUANTITY,)),
        DataService("Jms", ("jms://queue",), ("jms", "http"), (QUANTITY,)),
        DataService("Secure", ("https://me:pw@shop.example/s",), ("http",), (QUANTITY,)),
        DataService("Empty", (SHOP,)),
    )
}


@pytest.mark.parametrize(
    ("operation", "task"),
    [
        ("getProductQuantity", HttpTask(f"{SHOP}/getProductQuantity")),
        ("GET /all products", HttpTask(f"{SHOP}/all%20products", "POST")),
    ],
)
def test_the_request_of_an_operation(operation: str, task: HttpTask) -> None:
    assert request(SERVICES, ServiceOperation("ProductService", operation)) == task


@pytest.mark.parametrize(
    ("service", "operation", "reason"),
    [
        (
            "Stock",
            "x",
            "there is no data service 'Stock' in this node's catalogue; there are Empty, ",
        ),
        ("ProductService", "x", "has no operation 'x'; there are GET /all products, getProduct, "),
        ("Empty", "x", "data service Empty has no operation 'x'; there is none"),
        ("ProductService", "getProduct", "takes input (productCode, line)"),
        ("Local", QUANTITY.name, "Local has no HTTP endpoint: its endpoints are http://shop"),
        ("Jms", QUANTITY.name, "Jms has no HTTP endpoint: its endpoints are jms://queue, its "),
        ("Secure", QUANTITY.name, "https://***@shop.example/s, its transports http"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(service: str, operation: str, reason: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        request(SERVICES, ServiceOperation(service, operation))
    assert reason in str(refused.value)
