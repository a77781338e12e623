using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Ome.Operator;

namespace Ome.Tests.Operator;

/// <summary>The fleet page of a running operator.</summary>
public sealed class FleetPageTests : OperatorFixture
{
    protected override OperatorOptions Options => new() { Host = "127.0.0.1", Port = 0, LeaderElect = false, FleetPage = true, StatusInterval = TimeSpan.FromMilliseconds(200), LogLevel = "warn" };

    [Test, CancelAfter(30_000)]
    public async Task The_page_shows_the_damage_and_answers_loopback_names_only(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, """{"status":"Failed","validation":{"result":"Invalid","reason":"FileMissing","message":"config.json is missing"}}""", cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Failed", cancellationToken);
        using var client = new HttpClient { BaseAddress = new Uri(Operator!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };

        using var page = await client.GetAsync("/?q=" + model.Name, cancellationToken);
        page.StatusCode.Should().Be(HttpStatusCode.OK);
        page.Headers.GetValues("Content-Security-Policy").Single().Should().Contain("default-src 'none'");
        (await page.Content.ReadAsStringAsync(cancellationToken)).Should().Contain("config.json is missing").And.Contain(node);
        (await client.GetStringAsync("/fleet.js", cancellationToken)).Should().Contain("addEventListener");
        (await client.GetStringAsync("/fleet.css", cancellationToken)).Should().Contain(".matrix");

        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = "fleet.attacker.example" } };
        using var refused = await client.SendAsync(rebound, cancellationToken);
        refused.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        (await refused.Content.ReadAsStringAsync(cancellationToken)).Should().Contain("kubectl");
    }
}
