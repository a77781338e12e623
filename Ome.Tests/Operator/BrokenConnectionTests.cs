using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>The API server is away from the operator, or ends its watches and forgets their history again and again, while everything changes.</summary>
[Parallelizable]
public sealed class BrokenConnectionTests : FaultFixture
{
    private const string OperatorUser = "system:serviceaccount:ome:ome-operator";

    [Test, CancelAfter(180_000)]
    public Task An_API_server_that_is_away_for_three_seconds_costs_nothing_but_time(CancellationToken cancellationToken) =>
        OutageAsync(TimeSpan.FromSeconds(3), cancellationToken);

    [Test, Category("Campaign"), CancelAfter(240_000)]
    public Task An_API_server_that_is_away_for_a_minute_costs_nothing_but_time(CancellationToken cancellationToken) =>
        OutageAsync(TimeSpan.FromSeconds(60), cancellationToken);

    [Test, CancelAfter(180_000)]
    public Task Watches_that_end_and_histories_that_expire_lose_nothing(CancellationToken cancellationToken) =>
        ExpiringAsync(rounds: 20, TimeSpan.FromMilliseconds(100), cancellationToken);

    [Test, Category("Campaign"), CancelAfter(600_000)]
    public Task Watches_that_end_and_histories_that_expire_every_second_lose_nothing(CancellationToken cancellationToken) =>
        ExpiringAsync(rounds: 180, TimeSpan.FromSeconds(1), cancellationToken);

    private async Task OutageAsync(TimeSpan length, CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var random = new Random(11);
        await FillAsync(cancellationToken);
        using (var away = faults.Add(new() { User = OperatorUser, CutConnection = true }))
        {
            faults.DropWatches();
            var changes = (int)(length.TotalMilliseconds / 100);
            for (var i = 0; i < changes; i++)
            {
                await ChangeAsync(random, cancellationToken);
                await Task.Delay(length / changes, TimeProvider.System, cancellationToken);
            }

            away.Hits.Should().BePositive("the operator tried");
            using var http = new HttpClient { BaseAddress = new Uri(Operator!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };
            (await http.GetStringAsync("/healthz", cancellationToken)).Should().Be("ok", "a kubelet that restarts the operator would not bring the server back");
        }

        await ConvergedAsync(cancellationToken);
    }

    private async Task ExpiringAsync(int rounds, TimeSpan pause, CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var random = new Random(12);
        await FillAsync(cancellationToken);
        var dropped = 0;
        for (var round = 0; round < rounds; round++)
        {
            await ChangeAsync(random, cancellationToken);
            faults.TruncateHistory();
            dropped += faults.DropWatches();
            await Task.Delay(pause, TimeProvider.System, cancellationToken);
        }

        dropped.Should().BeGreaterThan(rounds, "each round is to end several watches");
        await ConvergedAsync(cancellationToken);
    }
}
