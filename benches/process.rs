//! P12 and P13: from starting the process to the first answer, and what it costs when idle.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a bench may stop at once, prints, and reads the clock"
)]

mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postern::wire::feed::{Form, encode};
use postern::wire::proto::postern::v1;
use v1::authorization_service_client::AuthorizationServiceClient;
use v1::authorize_request::Subject;

const ADDRESS: &str = "127.0.0.1:9393";

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let graph = support::graph(10_000, 42);
    println!("| what | form | bytes | min | median | max |");
    println!("|---|---|---|---|---|---|");
    for (form, name) in [
        (Form::Binary, "a.pst"),
        (Form::NdJson, "a.ndjson"),
        (Form::Yaml, "a.yaml"),
    ] {
        let path = directory.path().join(name);
        let bytes = encode(&graph.document, form).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let mut times: Vec<f64> = (0..15)
            .map(|_| {
                let start = Instant::now();
                let mut server = serve(path.to_str().unwrap());
                runtime.block_on(first_answer(&graph));
                let took = start.elapsed().as_secs_f64() * 1e3;
                stop(&mut server);
                took
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "| start to first answer, 10,000 entities | {name} | {} | {:.0} ms | {:.0} ms | {:.0} ms |",
            bytes.len(),
            times[0],
            times[times.len() / 2],
            times[times.len() - 1],
        );
    }
    let mut server = serve(directory.path().join("a.pst").to_str().unwrap());
    runtime.block_on(first_answer(&graph));
    std::thread::sleep(Duration::from_secs(1));
    let (before, seconds) = (cpu_ticks(&server), 30.0);
    std::thread::sleep(Duration::from_secs_f64(seconds));
    let ticks = cpu_ticks(&server) - before;
    // A tick is 10 ms: below one in 30 s reads as 0.
    println!(
        "\nidle: {ticks} ticks of 10 ms in {seconds} s = {:.3} % of a core",
        ticks as f64 / seconds
    );
    stop(&mut server);
}

fn serve(path: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["serve", "--snapshot", path, "--listen", ADDRESS])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn stop(server: &mut Child) {
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Asks until an answer comes: the connection may be refused, or no snapshot be there yet.
async fn first_answer(graph: &support::Graph) {
    loop {
        if let Ok(mut client) =
            AuthorizationServiceClient::connect(format!("http://{ADDRESS}")).await
        {
            let request = v1::AuthorizeRequest {
                subject: Some(Subject::Principal(graph.users[0].clone())),
                permission: "models.runs.get".into(),
                resource: graph.projects[0].clone(),
                ..Default::default()
            };
            if let Ok(answer) = client.authorize(request).await {
                assert_eq!(answer.get_ref().revision, 1);
                return;
            }
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

fn cpu_ticks(server: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
