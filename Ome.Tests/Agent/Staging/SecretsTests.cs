using System.Text;
using System.Text.Json;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>Plants a token and a signed URL, lets everything go wrong that can, and looks for them in all that came out.</summary>
public sealed class SecretsTests
{
    [Test, CancelAfter(180_000)]
    public async Task No_token_and_no_signed_url_is_in_anything_emitted(CancellationToken cancellationToken)
    {
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken);
        bed.Options.FruitlessReconnects = 1;
        bed.HubOptions.Retries = 1;
        var said = new List<string>();
        HubFault[] troubles =
        [
            new(HubFaultKind.Status, Times: 50, Status: 500),
            new(HubFaultKind.Status, Times: 50, Status: 429, RetryAfterSeconds: 600),
            new(HubFaultKind.Status, HubFaultScope.Body, Times: 50, Status: 403),
            new(HubFaultKind.Status, HubFaultScope.Resolve, Times: 50, Status: 401),
            new(HubFaultKind.Status, HubFaultScope.Body, Times: 50, Status: 404),
            new(HubFaultKind.Status, HubFaultScope.Body, Times: 50, Status: 416),
            new(HubFaultKind.Cut, HubFaultScope.Body, Times: 50),
            new(HubFaultKind.WrongBytes, HubFaultScope.Body, Times: 50, AfterBytes: 4),
        ];
        foreach (var trouble in troubles)
        {
            bed.Hub.Faults.Add(trouble);
            var failed = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Failed>(trouble.ToString()).Which;
            said.Add(failed.ToString());
            bed.Hub.Faults.Clear();
        }

        said.Add((await bed.StageAsync("org/absent", cancellationToken)).ToString());
        said.Add((await bed.StageAsync("org/model", cancellationToken)).ToString());
        said.Add(bed.Request("org/model").ToString());
        await bed.Hub.DisposeAsync();
        said.Add((await bed.StageAsync("org/other", cancellationToken)).ToString());
        said.AddRange(bed.Logs.Lines);
        said.AddRange(TestFiles.Tree(bed.Root).Where(file => !file.Key.EndsWith(".safetensors", StringComparison.Ordinal)).Select(file => file.Key + Encoding.UTF8.GetString(file.Value)));

        said.Should().HaveCountGreaterThan(20);
        said.Should().NotContain(text => text.Contains(StagingBed.Token, StringComparison.OrdinalIgnoreCase), "that is the token, and the signature holds it too");
        said.Should().NotContain(text => text.Contains("Bearer", StringComparison.OrdinalIgnoreCase) || text.Contains("X-Amz-", StringComparison.OrdinalIgnoreCase));
        bed.Hub.LeakedAuthorizations.Should().BeEmpty();
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/storage.json", "token" })]
    public async Task Token(JsonElement row)
    {
        var secrets = new FakeSecrets { ["ome/hub-secret/token"] = "from-secret", ["ome/hub-secret/mine"] = "from-my-key", ["ns/hub-secret/token"] = "from-namespace" };
        var logs = new CapturedLogs();
        using var factory = new Microsoft.Extensions.Logging.LoggerFactory([logs]);
        var tokens = new HuggingFaceToken(
            secrets, new HuggingFaceOptions { Token = Secret.From("from-agent\n") }, new Microsoft.Extensions.Logging.Logger<HuggingFaceToken>(factory));
        var model = StagingBed.Model("hf://org/model") with
        {
            Key = row.Text("namespace") is { } ns ? ModelKey.Namespaced(ns, "m") : StagingBed.Key,
            SecretName = row.Text("secret"),
            Parameters = row.GetProperty("parameters").Deserialize<Dictionary<string, string>>()!,
        };

        (await tokens.FindAsync(model, CancellationToken.None))?.Reveal().Should().Be(row.Text("want"));

        logs.Lines.Any(line => line.Contains("Warning", StringComparison.Ordinal) && line.Contains(row.Text("warns") ?? "", StringComparison.Ordinal)).Should().Be(row.Text("warns") is not null);
        logs.Lines.Should().NotContain(line => line.Contains("from-", StringComparison.Ordinal));
    }

    [Test, CancelAfter(120_000)]
    public async Task P24_a_rate_limited_model_stays_updating_until_the_hub_said(CancellationToken cancellationToken)
    {
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Resolve, Times: 100, Status: 429, RetryAfterSeconds: 120));

        var failure = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure;

        failure.Reason.Should().Be(StagingFailureReason.RateLimited);
        failure.StaysUpdating.Should().BeTrue();
        failure.RetryAfter.Should().Be(TimeSpan.FromSeconds(120));
    }

    [TestCase("ENDPOINT=http://a/;HF_ENDPOINT=http://b", "http://a")]
    [TestCase("HF_ENDPOINT=http://b/", "http://b")]
    [TestCase("ENDPOINT= ", HuggingFaceOptions.DefaultEndpoint)]
    public void The_hub_is_found_by_either_name(string environment, string endpoint)
    {
        var variables = environment.Split(';').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        HuggingFaceOptions.FromEnvironment(variables.GetValueOrDefault).Endpoint.Should().Be(endpoint);
    }

    private sealed class FakeSecrets : Dictionary<string, string>, ISecretReader
    {
        public Task<Secret?> ReadAsync(string secretNamespace, string name, string key, CancellationToken cancellationToken) =>
            Task.FromResult(Secret.From(this.GetValueOrDefault($"{secretNamespace}/{name}/{key}")));
    }
}
