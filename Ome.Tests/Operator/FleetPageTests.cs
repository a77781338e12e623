using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Ome.Operator;
using Ome.Operator.Fleet;
using Ome.Operator.Watching;

namespace Ome.Tests.Operator;

/// <summary>The fleet page of a running operator.</summary>
public sealed class FleetPageTests : OperatorFixture
{
    protected override OperatorOptions Options => new() { Host = "127.0.0.1", Port = 0, LeaderElect = false, FleetPage = true, StatusInterval = TimeSpan.FromMilliseconds(200), LogLevel = "warn" };

    [Test, CancelAfter(120_000)]
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

    [Test, CancelAfter(180_000)]
    public async Task Without_script_the_page_has_all_rows_and_filters_by_its_address(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var one = await ModelAsync(cancellationToken, static model => model.Metadata.Name = "searched-for");
        var other = await ModelAsync(cancellationToken, static model => model.Metadata.Name = "another-one");
        foreach (var model in new[] { one, other })
        {
            await ReportAsync(node, model, """{"status":"Ready","validation":{"result":"Valid","oldestProofTime":"2026-08-01T11:00:00Z"}}""", cancellationToken);
            await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);
        }

        // A client that runs no script and fetches nothing but the page.
        using var client = new HttpClient { BaseAddress = new Uri(Operator!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };
        (await RowsAsync(client, "/", cancellationToken)).Should().Contain(row => row.Contains(one.Name, StringComparison.Ordinal)).And.Contain(row => row.Contains(other.Name, StringComparison.Ordinal));

        (await RowsAsync(client, "/?q=" + one.Name, cancellationToken)).Should().ContainSingle().Which.Should().Contain(one.Name).And.Contain("Ready").And.Contain("ago");
        var page = await client.GetStringAsync("/?q=" + one.Name, cancellationToken);
        page.Should().Contain($"title=\"{node}\"", "its nodes are the columns").And.NotContain(other.Name);
        page.Should().Contain("<form method=\"get\" action=\"./\">", "the browser itself sends the search").And.Contain("name=\"q\"");
    }

    private static async Task<IReadOnlyList<string>> RowsAsync(HttpClient client, string address, CancellationToken cancellationToken)
    {
        var page = await client.GetStringAsync(address, cancellationToken);
        return page[page.IndexOf("<tbody>", StringComparison.Ordinal)..page.IndexOf("</tbody>", StringComparison.Ordinal)].Split("<tr>").Skip(1).ToList();
    }

    [TestCase("10.1.2.3", "localhost", HttpStatusCode.Forbidden, TestName = "Another machine is refused, whatever name it asks for")]
    [TestCase("127.0.0.1", "ome-operator.ome.svc", HttpStatusCode.Forbidden, TestName = "A name that is not this machine's is refused")]
    [TestCase("::1", "[::1]", HttpStatusCode.OK, TestName = "This machine is answered, also over IPv6")]
    [CancelAfter(120_000)]
    public async Task Whoever_asks(string remote, string host, HttpStatusCode expected, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        foreach (var one in new object[] { Operator!.Services.GetRequiredService<ReportIndex>(), Operator.Services.GetRequiredService<Leadership>() }) builder.Services.AddSingleton(one.GetType(), one);
        builder.Services.AddSingleton(TimeProvider.System);
        await using var app = builder.Build();
        // Tests talk to loopback only, so where the request came from is said before the page looks.
        app.Use((context, next) =>
        {
            context.Connection.RemoteIpAddress = IPAddress.Parse(remote);
            return next(context);
        });
        app.MapFleetPage();
        await app.StartAsync(cancellationToken);
        using var client = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };

        foreach (var path in new[] { "/", "/fleet.css", "/fleet.js" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };
            using var answer = await client.SendAsync(request, cancellationToken);
            answer.StatusCode.Should().Be(expected, path);
        }
    }

    [Test, CancelAfter(120_000)]
    public async Task It_is_off_unless_asked_for(CancellationToken cancellationToken)
    {
        var app = await StartOperatorAsync(cancellationToken, new OperatorOptions { Host = "127.0.0.1", Port = 0, LeaderElect = false, LogLevel = "warn" });
        using var client = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };

        using var answer = await client.GetAsync("/", cancellationToken);

        answer.StatusCode.Should().Be(HttpStatusCode.NotFound);
        await StopOperatorAsync(app);
    }
}
