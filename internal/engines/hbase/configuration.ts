import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What Hadoop and HBase are told: names as their documents have them. */
export type Configuration = Readonly<Record<string, string | number | boolean>>;

/** Writes `<name>-site.xml` into a folder of the class path. */
export async function writeConfiguration(folder: string, name: string, values: Configuration): Promise<void> {
  const properties = Object.entries(values).map(
    ([key, value]) =>
      `  <property><name>${escapeXml(key)}</name><value>${escapeXml(`${value}`)}</value></property>\n`,
  );
  const text = `<?xml version="1.0"?>\n<configuration>\n${properties.join("")}</configuration>\n`;
  await writeFile(join(folder, `${name}-site.xml`), text);
}

/** Beside XML, Hadoop puts the values of others in the place of "${…}". */
function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Warnings, and the few lines by which we see that a process serves. */
const LOG4J = `log4j.rootLogger=WARN,out
log4j.logger.org.apache.hadoop.hbase.master.HMaster=INFO
log4j.logger.org.apache.hadoop.hbase.regionserver.HRegionServer=INFO
log4j.logger.org.apache.hadoop.hdfs.server.datanode.DataNode=INFO
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
`;

/** Writes what is logged. */
export async function writeLogging(folder: string): Promise<void> {
  await writeFile(join(folder, "log4j.properties"), LOG4J);
}
