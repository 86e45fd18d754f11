//! Requests and headers.

use crate::types::{Header, HeaderPart, HttpRequest, HttpResponse, ResponseHeader};

/// A header with a literal value.
pub fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: vec![HeaderPart::Text(value.to_owned())] }
}

/// `authorization: Bearer …` with the named secret, which only the host can put in.
pub fn bearer(secret: &str) -> Header {
    let value = vec![HeaderPart::Text("Bearer ".to_owned()), HeaderPart::Secret(secret.to_owned())];
    Header { name: "authorization".to_owned(), value }
}

/// A header whose whole value is the named secret, such as `x-api-key`.
pub fn secret(name: &str, secret: &str) -> Header {
    Header { name: name.to_owned(), value: vec![HeaderPart::Secret(secret.to_owned())] }
}

/// A request without a body.
pub fn get(path: &str) -> HttpRequest {
    HttpRequest { method: "GET".to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
}

/// A request with a JSON body.
pub fn post(path: &str, body: &serde_json::Value) -> HttpRequest {
    HttpRequest {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: vec![header("content-type", "application/json")],
        body: body.to_string().into_bytes(),
    }
}

/// Whether the status says that the request was carried out.
pub fn is_success(response: &HttpResponse) -> bool {
    (200..300).contains(&response.status)
}

/// The first header of that name, given in lower case.
pub fn find<'a>(headers: &'a [ResponseHeader], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
}
