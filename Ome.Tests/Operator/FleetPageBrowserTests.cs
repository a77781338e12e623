using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Ome.Operator.Fleet;
using Ome.Tests.Support;

namespace Ome.Tests.Operator;

/// <summary>The page in a real browser, with 1,000 nodes: style and script load under its own policy, and the script filters.</summary>
public sealed class FleetPageBrowserTests
{
    private static readonly string[] Browsers = ["chromium", "chromium-browser", "google-chrome"];

    [Test, CancelAfter(180_000)]
    public async Task A_browser_shows_and_filters_a_thousand_nodes(CancellationToken cancellationToken)
    {
        var browser = Find();
        if (browser is null) Assert.Ignore("needs chromium or google-chrome in PATH");
        var nodes = Enumerable.Range(0, 1000).Select(static i => ($"gpu-{i:D4}", i % 97 == 0 ? "Failed" : i % 41 == 0 ? "Updating" : "Ready", i % 194 == 0 ? "model-00002-of-00004.safetensors is missing" : null)).ToArray();
        var aggregates = Enumerable.Range(0, 50).Select(i => FleetViewTests.Model($"llama-3-1-8b-instruct-{i:D2}", nodes)).ToList();
        var html = FleetPage.Render(FleetView.Of(aggregates, null, 1), isLeader: true, new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero));
        // Types into the search field after loading, as a person would.
        const string Type = "const q=document.querySelector('input[name=q]');q.value='instruct-07';q.dispatchEvent(new Event('input'));";
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/", () => Results.Content(html.Replace("</body>", "<script src=\"type.js\" defer></script></body>", StringComparison.Ordinal), "text/html; charset=utf-8"));
        app.MapGet("/type.js", static () => Results.Text(Type, "text/javascript"));
        foreach (var (name, type) in new[] { ("fleet.css", "text/css"), ("fleet.js", "text/javascript") })
        {
            app.MapGet("/" + name, () => Results.Stream(typeof(FleetPage).Assembly.GetManifestResourceStream(name)!, type));
        }

        await app.StartAsync(cancellationToken);
        var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var profile = new TempDirectory();
        var picture = Path.Combine(TestContext.CurrentContext.WorkDirectory, "fleet-page.png");
        string[] common = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--user-data-dir=" + profile.Path, "--window-size=1600,1400"];

        var dom = await RunAsync(browser!, [.. common, "--dump-dom", url], cancellationToken);
        await RunAsync(browser!, [.. common, "--screenshot=" + picture, url], cancellationToken);

        var rows = dom[dom.IndexOf("<tbody>", StringComparison.Ordinal)..dom.IndexOf("</tbody>", StringComparison.Ordinal)].Split("<tr").Skip(1).ToList();
        rows.Should().HaveCount(50);
        rows.Where(static row => !row.StartsWith(" hidden", StringComparison.Ordinal)).Should().ContainSingle().Which.Should().Contain("instruct-07");
        new FileInfo(picture).Length.Should().BeGreaterThan(10_000, "something was painted: {0}", picture);
    }

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            process.ExitCode.Should().Be(0, await errors);
            return output;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static string? Find()
    {
#pragma warning disable RS0030 // where programs lie is a fact of the machine
        var path = Environment.GetEnvironmentVariable("PATH") ?? string.Empty;
#pragma warning restore RS0030
        return path.Split(Path.PathSeparator).SelectMany(static directory => Browsers.Select(name => Path.Combine(directory, name))).FirstOrDefault(File.Exists);
    }
}
