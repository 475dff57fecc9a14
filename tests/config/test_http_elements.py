"""HTTP tasks and the catalogue of data services in a file, and in WSO2's files beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_documents import DURABLE, NAMED, document, refused, settings

from gridsched.config import cache_config, dbs
from gridsched.errors import ConfigurationError
from gridsched.model.data_service import DataService, Operation
from gridsched.model.http import HttpTask, ServiceOperation

DBS = """<data name="ProductService" serviceNamespace="" transports="http https local">
   <config id="ds"><property name="url">jdbc:h2:mem:shop</property></config>
   <query id="quantity" useConfig="ds">
      <sql>select quantity from products</sql>
      <result element="products" rowName="product">
         <element column="quantity" name="quantity"/>
         <call-query href="x"><with-param column="code" name="code"/></call-query>
      </result>
   </query>
   <operation name="getProductQuantity"><call-query href="quantity"/></operation>
   <operation name="getProduct">
      <description>one</description>
      <call-query href="one"><with-param name="code" query-param="productCode"/></call-query>
   </operation>
   <operation name="merge">
      <call-query-group>
         <call-query href="a"><with-param name="a" query-param="line"/></call-query>
         <call-query href="b"><with-param name="b" query-param="line"/></call-query>
      </call-query-group>
   </operation>
   <resource method="GET" path="products"><call-query href="quantity"/></resource>
   <resource method="get" path="/product/{code}">
      <call-query href="one"><with-param name="code" query-param="code"/></call-query>
   </resource>
</data>"""
URL = "http://shop.example:9763/services/{service}.HTTPEndpoint"
THERE = "http://shop.example:9763/services/ProductService.HTTPEndpoint"


def job(inner: str) -> str:
    """The job begins in line 3, `inner` in line 4."""
    return f"<scheduler:jobs>\n<scheduler:job>{NAMED}{DURABLE}\n{inner}</scheduler:job></scheduler:jobs>"


def http(inner: str) -> str:
    return f"<scheduler:httptask>{inner}</scheduler:httptask>"


def operation(service: str, name: str) -> str:
    return (
        f"<scheduler:operation><scheduler:servicename>{service}</scheduler:servicename>"
        f"<scheduler:operationname>{name}</scheduler:operationname></scheduler:operation>"
    )


CATALOGUE = (
    "<scheduler:services><scheduler:service><scheduler:servicename>Stock</scheduler:servicename>"
    "<scheduler:endpoint>http://shop.example/Stock</scheduler:endpoint>"
    "<scheduler:serviceoperation><scheduler:operationname>all</scheduler:operationname>"
    "</scheduler:serviceoperation>"
    "<scheduler:serviceoperation><scheduler:operationname>one</scheduler:operationname>"
    "<scheduler:parameter>code</scheduler:parameter><scheduler:parameter>line</scheduler:parameter>"
    "</scheduler:serviceoperation></scheduler:service></scheduler:services>"
)
AT_SHOP = "<scheduler:url>http://shop.example/stock</scheduler:url>"


def test_an_http_task() -> None:
    inner = """
<scheduler:url>https://${env:SHOP_USER}@shop.example/stock?a=1</scheduler:url>
<scheduler:method>POST</scheduler:method>
<scheduler:header name="Accept">application/json</scheduler:header>
<scheduler:header name="X-Empty"/>
<scheduler:body> {"a":
  1} </scheduler:body>
<scheduler:expect>200</scheduler:expect><scheduler:expect>404</scheduler:expect>
<scheduler:keepheader>ETag</scheduler:keepheader>
<scheduler:connecttimeout>500MS</scheduler:connecttimeout>
<scheduler:readtimeout>1M</scheduler:readtimeout>"""
    given = (
        "<scheduler:service-config><scheduler:schedulerservice><scheduler:allowedsecrets>SHOP_*"
        "</scheduler:allowedsecrets></scheduler:schedulerservice></scheduler:service-config>"
    )
    (startup,) = settings(document(given + job(http(inner)))).jobs
    assert startup.job.task == HttpTask(
        "https://${env:SHOP_USER}@shop.example/stock?a=1",
        "POST",
        {"Accept": "application/json", "X-Empty": ""},
        '{"a":\n  1}',
        (200, 404),
        ("ETag",),
        0.5,
        60.0,
    )


def test_an_operation_of_the_catalogue() -> None:
    found = settings(document(CATALOGUE + job(operation("Stock", "all"))))
    assert found.jobs[0].job.task == ServiceOperation("Stock", "all")
    operations = (Operation("all"), Operation("one", ("code", "line")))
    assert found.services == (
        DataService("Stock", ("http://shop.example/Stock",), operations=operations),
    )


@pytest.mark.parametrize(
    ("inner", "line", "reason"),
    [
        (
            "",
            3,
            "scheduler:job has no scheduler:jobclass, scheduler:httptask or scheduler:operation",
        ),
        (http(""), 4, "scheduler:httptask has no scheduler:url"),
        (http("<scheduler:url>ftp://shop</scheduler:url>"), 4, "'ftp://shop' is no URL"),
        (http(AT_SHOP + "<scheduler:header>x</scheduler:header>"), 4, "attribute name is missing"),
        (
            http(AT_SHOP + "\n<scheduler:header name='A'>1</scheduler:header>" * 2),
            6,
            "header A stands twice; first in line 5",
        ),
        (http(AT_SHOP) + "\n" + operation("Stock", "all"), 5, "scheduler:operation stands twice"),
        (
            http(AT_SHOP) + "<scheduler:jobclass>shop.tasks:a</scheduler:jobclass>",
            3,
            "has a target and a task",
        ),
        (http(AT_SHOP) + "<scheduler:executor>process</scheduler:executor>", 3, "runs in a thread"),
        (
            http(AT_SHOP.replace("shop.example", "10.0.0.1")),
            3,
            "host 10.0.0.1 is not on this node's",
        ),
        (
            http(AT_SHOP + "<scheduler:body>${env:HOME}</scheduler:body>"),
            3,
            "${env:HOME} is not on this node's list of secrets",
        ),
        (
            operation("Shop", "all"),
            3,
            "no data service 'Shop' in this node's catalogue; there are Stock",
        ),
        (operation("Stock", "some"), 3, "has no operation 'some'; there are all, one"),
        (operation("Stock", "one"), 3, "takes input (code, line)"),
    ],
)
def test_what_a_job_cannot_do(inner: str, line: int, reason: str) -> None:
    refused(document("\n".join([CATALOGUE + job(inner)])), line, reason)


def test_what_is_no_host_is_refused_in_its_line() -> None:
    inner = (
        "<scheduler:service-config><scheduler:schedulerservice>\n<scheduler:allowedhosts>"
        "http://shop</scheduler:allowedhosts></scheduler:schedulerservice></scheduler:service-config>"
    )
    refused(document(inner), 3, "scheduler:allowedhosts: 'http://shop' is no host")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ProductService.dbs").write_text(DBS)
    (tmp_path / "Local.dbs").write_text('<data name="Local" transports="local"/>')
    (tmp_path / "notes.txt").write_text("no service")
    return tmp_path


def test_wso2s_files(folder: Path) -> None:
    local, products = dbs.data_services(folder, URL)
    assert (local.name, local.transports) == ("Local", ("local",))
    assert products == DataService(
        "ProductService",
        (THERE,),
        ("http", "https", "local"),
        (
            Operation("getProductQuantity"),
            Operation("getProduct", ("productCode",)),
            Operation("merge", ("line",)),
            Operation("GET /products", (), "GET", "products"),
            Operation("GET /product/{code}", ("code",), "GET", "product/{code}"),
        ),
    )
    assert dbs.data_services(folder / "ProductService.dbs", URL) == [products]


def from_folder(folder: Path, inner: str, path: str = "services") -> cache_config.Loaded:
    config = folder.parent / "shop.xml"
    config.write_text(
        document(
            f"<scheduler:services>\n<scheduler:dbs><scheduler:path>{path}</scheduler:path>"
            f"<scheduler:url>{URL}</scheduler:url></scheduler:dbs></scheduler:services>{inner}"
        )
    )
    return cache_config.load(config)


def test_a_file_names_wso2s_files_from_its_own_folder(folder: Path) -> None:
    services = folder / "services"
    services.mkdir()
    (services / "ProductService.dbs").write_text(DBS)
    found = from_folder(services, job(operation("ProductService", "GET /products")))
    assert [service.name for service in found.settings.services] == ["ProductService"]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.dbs", "<data/>", "a.dbs:1: data has no attribute name"),
        ("a.dbs", "<config/>", "a.dbs:1: the root element is config; that of a .dbs file is data"),
        (
            "a.dbs",
            "<data name='A'>\n<operation/></data>",
            "a.dbs:2: operation has no attribute name",
        ),
        ("a.dbs", "<data name='A'><resource/></data>", "a.dbs:1: resource has no attribute path"),
        ("a.dbs", "<data", "a.dbs:1: is not well-formed XML"),
        ("a.dbs", "", "a.dbs: is empty"),
        ("a.dbs", "<!DOCTYPE a><data name='A'/>", "a.dbs:1: a DOCTYPE is not allowed"),
        ("a.txt", "x", "services: holds no .dbs file"),
    ],
)
def test_what_is_no_dbs_file(tmp_path: Path, name: str, text: str, reason: str) -> None:
    services = tmp_path / "services"
    services.mkdir()
    (services / name).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        from_folder(services, "")
    assert reason in str(caught.value)


def test_a_folder_that_is_not_there_and_a_service_that_stands_twice(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="none: cannot be read"):
        from_folder(folder, "", path="none")
    once = "<scheduler:service><scheduler:servicename>A</scheduler:servicename></scheduler:service>"
    refused(
        document(f"<scheduler:services>{once}\n{once}</scheduler:services>"),
        3,
        "data service A stands twice",
    )
