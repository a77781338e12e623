using System.Text.Json;
using Ome.LocalCluster.Fakes;
using Ome.Tests.Support;

namespace Ome.Tests.LocalCluster;

/// <summary>The fake hub is held to the real protocol by the hub's own JavaScript client.</summary>
public sealed class FakeHubNpmTests
{
    private const string Script = """
        import { listFiles, downloadFile, modelInfo, fileDownloadInfo } from "@huggingface/hub";
        import { createHash } from "node:crypto";
        const [hubUrl, accessToken] = process.argv.slice(2);
        const repo = { type: "model", name: "org/model" };
        const out = { files: {}, error: null };
        const info = await modelInfo({ name: "org/model", hubUrl, accessToken, additionalFields: ["sha"] });
        out.sha = info.sha;
        for await (const entry of listFiles({ repo, hubUrl, accessToken, recursive: true })) {
          if (entry.type !== "file") continue;
          const about = await fileDownloadInfo({ repo, path: entry.path, hubUrl, accessToken });
          const blob = await downloadFile({ repo, path: entry.path, hubUrl, accessToken, xet: false });
          if (!blob) throw new Error("no " + entry.path + " " + JSON.stringify(about));
          const bytes = Buffer.from(await blob.arrayBuffer());
          out.files[entry.path] = { size: entry.size, lfs: entry.lfs?.oid ?? null, about: about?.size, sha256: createHash("sha256").update(bytes).digest("hex") };
        }
        try { for await (const _ of listFiles({ repo, hubUrl })) { } } catch (e) { out.error = e.statusCode; }
        console.log(JSON.stringify(out));
        """;

    [Test, CancelAfter(120_000)]
    public async Task The_hubs_own_client_lists_and_downloads_from_the_fake(CancellationToken cancellationToken)
    {
        using var directory = new TempDirectory();
        ModelTree.Write(directory["model"]);
        Directory.CreateDirectory(directory["model", "a b"]);
        await File.WriteAllTextAsync(directory["model", "a b", "c d.txt"], "x", cancellationToken);
        var files = TestFiles.Tree(directory["model"]);
        await using var hub = await FakeHub.StartAsync(cancellationToken: cancellationToken);
        hub.PageSize = 4;
        hub.GrantedTokens.Add("hf_npmToken");
        hub.Add("org/model", files).Access = HubAccess.Private;

        var output = await NpmClient.RunAsync("@huggingface/hub", "client.mjs", Script, [hub.Endpoint, "hf_npmToken"], cancellationToken);

        using var seen = JsonDocument.Parse(output);
        seen.RootElement.GetProperty("sha").GetString().Should().Be(hub.Repository("org/model").Head);
        seen.RootElement.GetProperty("error").GetInt32().Should().Be(401);
        var listed = seen.RootElement.GetProperty("files").EnumerateObject().ToDictionary(file => file.Name, file => file.Value, StringComparer.Ordinal);
        listed.Keys.Should().BeEquivalentTo(files.Keys);
        foreach (var (path, file) in listed)
        {
            var sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(files[path]));
            file.GetProperty("sha256").GetString().Should().Be(sha256, path);
            file.GetProperty("size").GetInt64().Should().Be(files[path].Length);
            file.GetProperty("about").GetInt64().Should().Be(files[path].Length);
            if (path.EndsWith(".safetensors", StringComparison.Ordinal)) file.GetProperty("lfs").GetString().Should().Be(sha256);
        }

        hub.LeakedAuthorizations.Should().BeEmpty();
        TestContext.Out.WriteLine($"@huggingface/hub listed and downloaded {listed.Count} files");
    }
}
