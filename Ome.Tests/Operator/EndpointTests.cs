using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Ome.Tests.Operator;

/// <summary>What kubelet and Prometheus see.</summary>
public sealed class EndpointTests : OperatorFixture
{
    [Test, CancelAfter(30_000)]
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

    // The deletion reaches the operator on its own watch; the next scrapes show it.
    private static async Task ModelIsForgottenAsync(HttpClient client, string name, CancellationToken cancellationToken)
    {
        while ((await client.GetStringAsync("/metrics", cancellationToken)).Contains(name, StringComparison.Ordinal))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }
}
