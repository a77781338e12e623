using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Ome.Operator;

namespace Ome.Tests.Operator;

/// <summary>What kubelet and Prometheus see.</summary>
public sealed class EndpointTests : OperatorFixture
{
    [Test, CancelAfter(120_000)]
    public async Task Health_readiness_and_metrics(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, """{"status":"Failed","validation":{"result":"Invalid","reason":"FileMissing"}}""", cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Failed", cancellationToken);
        using var client = new HttpClient { BaseAddress = new Uri(Operator!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };

        (await client.GetStringAsync("/healthz", cancellationToken)).Should().Be("ok");
        (await client.GetStringAsync("/readyz", cancellationToken)).Should().Be("ok");
        var metrics = await client.GetStringAsync("/metrics", cancellationToken);
        metrics.Should().Contain($$"""ome_model_nodes{kind="ClusterBaseModel",namespace="",name="{{model.Name}}",state="failed"} 1""");
        metrics.Should().Contain($$"""ome_model_damaged_nodes{kind="ClusterBaseModel",namespace="",name="{{model.Name}}"} 1""");
        metrics.Should().Contain("ome_operator_leader 1").And.Contain("ome_operator_propagation_seconds_count").And.Contain("ome_queue_depth").And.Contain("ome_build_info");

        await DeleteAsync(model, cancellationToken);
        await ReportAsync(node, model, (string?)null, cancellationToken);
        await UntilGoneAsync(model, cancellationToken);
        await ModelIsForgottenAsync(client, model.Name, cancellationToken);
    }

    [TestCase("/readyz", 0, "200 ok")]
    [TestCase("/nothing", 1, "404")]
    [CancelAfter(120_000)]
    public async Task The_ready_command_says_what_a_running_operator_answers(string path, int code, string said, CancellationToken cancellationToken)
    {
        var address = Operator!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, """{"status":"Ready"}""", cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);

        (await ReadyAsync(address + path, cancellationToken)).Should().Match<(int Code, string Said)>(answer => answer.Code == code && answer.Said.Contains(said));
    }

    [TestCase("http://127.0.0.1:1/readyz", 1)]
    [TestCase("readyz", 2)]
    [CancelAfter(120_000)]
    public async Task The_ready_command_fails_where_nobody_answers(string url, int code, CancellationToken cancellationToken) =>
        (await ReadyAsync(url, cancellationToken)).Should().Match<(int Code, string Said)>(answer => answer.Code == code && answer.Said.Contains(url));

    private static async Task<(int Code, string Said)> ReadyAsync(string url, CancellationToken cancellationToken)
    {
        var said = new StringWriter();
        var code = await ReadyCommand.Create(said, said).Parse([url]).InvokeAsync(cancellationToken: cancellationToken);
        return (code, said.ToString());
    }

    // The deletion reaches the operator on its own watch; the next scrapes show it.
    private static async Task ModelIsForgottenAsync(HttpClient client, string name, CancellationToken cancellationToken)
    {
        while ((await client.GetStringAsync("/metrics", cancellationToken)).Contains(name, StringComparison.Ordinal))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }
}
